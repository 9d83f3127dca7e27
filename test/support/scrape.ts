import { request } from 'node:https';

/** Reads metrics as Prometheus does with the chart's ServiceMonitor: TLS without a check of the certificate, and a bearer token if one is given. */
export function scrape(metricsURL: string, token?: string): Promise<{ status: number; body: string }> {
  const url = new URL(metricsURL);
  url.protocol = 'https:';
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
