// The configuration as YAML again: defaults filled in, secrets hidden. For /api/v1/status/config.

import { Document, isScalar, isSeq, visit } from 'yaml';
import { type Config, configSection } from './config.js';
import { type ScrapeConfig, scrapeSection } from './scrape.js';

export function renderConfig(config: Config): string {
  return yamlOf(configSection.encode(config));
}

/** One job of it, with what it has from the global section. */
export function renderJob(job: ScrapeConfig): string {
  return yamlOf(scrapeSection.encode(job));
}

function yamlOf(tree: unknown): string {
  // YAML 1.1, so that `yes` and `010` get quotes, as older readers need them; but a Map is a mapping, not an !!omap.
  const document = new Document(tree, {
    version: '1.1',
    schema: 'yaml-1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !/omap|pairs|set$/.test(tag.tag)),
  });
  visit(document, {
    Pair(_, pair) {
      const isFlow = isScalar(pair.key) && pair.key.value === 'source_labels' && isSeq(pair.value);
      if (isFlow) (pair.value as { flow?: boolean }).flow = true;
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}
