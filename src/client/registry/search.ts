import type { Command } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { registryAuth } from '../config/credentials.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { ellipsis } from '../format/text.ts';

interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

export const search: Command = {
  usage: '[OPTIONS] TERM',
  description: 'Search Docker Hub for images',
  flags: [
    flag.list('filter', 'f', 'Filter output based on conditions provided', { typeName: 'filter', check: checkFilter }),
    flag.string('format', '', 'Pretty-print search using a Go template'),
    flag.int('limit', '', 'Max number of search results'),
    flag.bool('no-trunc', '', "Don't truncate output"),
  ],
  arity: { kind: 'exactly', count: 1 },
  run: async ({ cli, args, flags }) => {
    const term = args[0]!;
    const slash = term.indexOf('/');
    const domain = slash > 0 && /[.:]|^localhost$/.test(term.slice(0, slash)) ? term.slice(0, slash) : 'docker.io';
    const results = await cli.engine.json<SearchResult[]>('GET', '/images/search', {
      query: { term, limit: flags.number('limit') || undefined, filters: encodeFilters(flags.list('filter')) },
      headers: await registryAuth(cli.config, domain),
    });
    cli.write(
      formatList(results, searchRow(flags.bool('no-trunc')), {
        format: flags.string('format'),
        defaultTable: '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}',
      }),
    );
  },
};

const searchRow = (noTrunc: boolean): RowType<SearchResult> => ({
  typeName: '*registry.searchContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
  row: result => {
    const description = result.description.replace(/[\r\n]/g, ' ');
    return {
      Name: result.name,
      Description: noTrunc ? description : ellipsis(description, 45),
      StarCount: String(result.star_count),
      IsOfficial: result.is_official ? '[OK]' : '',
    };
  },
});
