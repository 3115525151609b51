with described (table_schema, table_name, metric_name, formula, grain, source, caveats) as (
    values
    {% for model in public_models() if model.config.meta.metrics %}
        {%- set outer = loop -%}
        {%- for metric in model.config.meta.metrics %}
            (
                {{ text_literal(model.schema) }},
                {{ text_literal(model.alias) }},
                {{ text_literal(metric.name) }},
                {{ text_literal(metric.formula) }},
                {{ text_literal(metric.grain) }},
                {{ text_literal(metric.source) }},
                {{ text_literal(metric.caveats) }}
            ){{ ',' if not (loop.last and outer.last) }}
        {%- endfor %}
    {% else %}
        (null, null, null, null, null, null, null)
    {% endfor %}
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
