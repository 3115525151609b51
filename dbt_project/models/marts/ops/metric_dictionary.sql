{%- set texts = ['formula', 'grain', 'source', 'caveats'] -%}
{%- set rows = [] -%}
{%- for model in public_models() -%}
    {%- for metric in model.config.meta.metrics or [] -%}
        {%- set row = {'table_schema': model.schema, 'table_name': model.alias, 'metric_name': metric.name} -%}
        {%- for text in texts -%}{%- do row.update({text: one_line(metric[text])}) -%}{%- endfor -%}
        {%- do rows.append(row) -%}
    {%- endfor -%}
{%- endfor -%}

with described as (
    {{ rows_of(rows, {
        'table_schema': 'varchar',
        'table_name': 'varchar',
        'metric_name': 'varchar',
        'formula': 'varchar',
        'grain': 'varchar',
        'source': 'varchar',
        'caveats': 'varchar',
    }) }}
)

select
    metric_name,
    table_schema,
    table_name,
    formula,
    grain,
    source,
    caveats
from described
order by metric_name, table_schema, table_name
