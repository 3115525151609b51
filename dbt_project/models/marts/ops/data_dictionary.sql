with described (
    table_schema, table_name, column_number, column_name, data_type, is_never_null, column_description, table_description
) as (
    values
    {% for model in public_models() %}
        {%- set outer = loop -%}
        {%- for column in model.columns.values() %}
            (
                {{ text_literal(model.schema) }},
                {{ text_literal(model.alias) }},
                {{ loop.index }},
                {{ text_literal(column.name) }},
                {{ text_literal(column.data_type) }},
                {{ (column.constraints | selectattr('type', 'in', ['not_null', 'primary_key']) | list != []) | lower }},
                {{ text_literal(column.description) }},
                {{ text_literal(model.description) }}
            ){{ ',' if not (loop.last and outer.last) }}
        {%- endfor %}
    {% else %}
        (null, null, 0, null, null, null, null, null)
    {% endfor %}
)

select
    table_schema,
    table_name,
    cast(column_number as bigint) as column_number,
    column_name,
    data_type,
    is_never_null,
    column_description,
    table_description
from described
order by table_schema, table_name, column_number
