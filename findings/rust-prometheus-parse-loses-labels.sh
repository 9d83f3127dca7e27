#!/usr/bin/env bash
# Package: crate prometheus-parse 0.2.5.
# A user's agent in Rust reads an exporter's page. Labels hold a route, a list of names and a filter, as metrics of HTTP servers do.
# Guess before the run: quoted values are read as they are, with braces, commas and equals signs.
# Seen: a sample with a brace in a label is left out. A value ends at its first comma. A label with an equals sign in its value is left out. No error.
# Why it matters: requests to /portals/{id}/audit-log vanish from what the agent forwards, and series that differ behind a comma fall together.
# Whoever compares two scrapes sees traffic that stopped.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "example"
version = "0.1.0"
edition = "2021"

[dependencies]
prometheus-parse = "=0.2.5"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for line in [
        r#"requests{code="200"} 1"#,
        r#"requests{route="/portals/{id}/audit-log",code="200"} 1"#,
        r#"requests{portals="partners,developers",code="200"} 1"#,
        r#"requests{query="page[size]=20",code="200"} 1"#,
    ] {
        let page = format!("# TYPE requests gauge\n{line}\n");
        let scrape = prometheus_parse::Scrape::parse(page.lines().map(|line| Ok(line.to_owned()))).unwrap();
        println!("{line}");
        match scrape.samples.first() {
            None => println!("  no sample"),
            Some(sample) => {
                let mut labels: Vec<_> = sample.labels.iter().collect();
                labels.sort();
                println!("  {labels:?}");
            }
        }
    }
}
RUST
cargo run --quiet 2>cargo.txt | tee seen.txt || { cat cargo.txt; exit 1; }
diff seen.txt - <<'SEEN'
requests{code="200"} 1
  [("code", "200")]
requests{route="/portals/{id}/audit-log",code="200"} 1
  no sample
requests{portals="partners,developers",code="200"} 1
  [("code", "200"), ("portals", "partners")]
requests{query="page[size]=20",code="200"} 1
  [("code", "200")]
SEEN
