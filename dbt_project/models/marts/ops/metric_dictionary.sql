with described (table_schema, table_name, metric_name, formula, grain, source, caveats) as (
    values
    {% for model in public_models() if model.config.meta.metrics %}
        {%- set outer = loop -%}
        {%- for metric in model.config.meta.metrics %}
            (
                {{ text_of(model.schema) }},
                {{ text_of(model.alias) }},
                {{ text_of(metric.name) }},
                {{ text_of(metric.formula) }},
                {{ text_of(metric.grain) }},
                {{ text_of(metric.source) }},
                {{ text_of(metric.caveats) }}
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
