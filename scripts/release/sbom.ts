/** The software bill of materials of `operator.js`, as SPDX 2.3. */
import * as z from 'zod';

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      license: z.string().optional(),
      integrity: z.string().optional(),
    }),
  ),
});

export interface SBOMOptions {
  readonly version: string;
  /** SHA-256 of `operator.js`, hexadecimal. */
  readonly sha256: string;
  /** The text of `operator.js.packages.json`. */
  readonly packages: string;
  /** The text of `package-lock.json`. */
  readonly lock: string;
  /** Of the commit, so that the same commit gives the same text. */
  readonly time: Date;
}

const name = 'konnect-audit-log-operator';
const operatorID = 'SPDXRef-operator';

/** Returns the text of the document. It lists the packages of which the bundle contains code, and no package of the base image. */
export function renderSBOM({ version, sha256, packages, lock, time }: SBOMOptions): string {
  const locked = Lock.parse(JSON.parse(lock)).packages;
  const paths = z.array(z.string()).parse(JSON.parse(packages));
  const dependencies = paths.map((path) => dependency(path, locked[path] ?? {}));
  const unique = [...new Map(dependencies.map((one) => [one.SPDXID, one])).values()];
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name}-${version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${version}-${sha256}`,
    creationInfo: {
      // SPDX allows no fractions of seconds.
      created: time.toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ${name}-${version}`],
    },
    packages: [
      {
        ...common(operatorID, name, version),
        primaryPackagePurpose: 'APPLICATION',
        packageFileName: 'operator.js',
        checksums: [{ algorithm: 'SHA256', checksumValue: sha256 }],
        licenseDeclared: 'Apache-2.0',
      },
      ...unique,
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: operatorID },
      ...unique.map(({ SPDXID }) => ({
        spdxElementId: operatorID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function dependency(path: string, { version, license, integrity }: z.infer<typeof Lock>['packages'][string]) {
  const packageName = path.replace(/^.*node_modules\//, '');
  if (version === undefined || license === undefined || integrity === undefined)
    throw new Error(`package-lock.json lacks the version, the license or the checksum of ${path}`);
  const [, algorithm, base64 = ''] = /^(sha512)-(\S+)$/.exec(integrity) ?? [];
  if (algorithm === undefined) throw new Error(`the checksum of ${path} in package-lock.json is not a SHA-512`);
  return {
    ...common(`SPDXRef-npm-${packageName.replaceAll(/[^\w.-]/g, '-')}-${version}`, packageName, version),
    checksums: [{ algorithm: 'SHA512', checksumValue: Buffer.from(base64, 'base64').toString('hex') }],
    licenseDeclared: license,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:npm/${packageName.replace('@', '%40')}@${version}`,
      },
    ],
  };
}

function common(id: string, packageName: string, version: string) {
  return {
    SPDXID: id,
    name: packageName,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
  };
}
