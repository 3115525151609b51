{%- set never_null = ['not_null', 'primary_key'] -%}
{%- set rows = [] -%}
{%- for model in public_models() -%}
    {%- set table_description = one_line(model.description) -%}
    {%- for column in model.columns.values() -%}
        {%- do rows.append({
            'table_schema': model.schema,
            'table_name': model.alias,
            'column_number': loop.index,
            'column_name': column.name,
            'data_type': column.data_type,
            'is_never_null': column.constraints | selectattr('type', 'in', never_null) | list != [],
            'column_description': one_line(column.description),
            'table_description': table_description,
        }) -%}
    {%- endfor -%}
{%- endfor -%}

with described as (
    {{ rows_of(rows, {
        'table_schema': 'varchar',
        'table_name': 'varchar',
        'column_number': 'bigint',
        'column_name': 'varchar',
        'data_type': 'varchar',
        'is_never_null': 'boolean',
        'column_description': 'varchar',
        'table_description': 'varchar',
    }) }}
),

-- No model defines the tables of ION's entities; the loader describes them.
every_column as (
    select
        table_schema,
        table_name,
        column_number,
        column_name,
        data_type,
        is_never_null,
        column_description,
        table_description
    from described

    union all

    select
        table_schema,
        table_name,
        column_number,
        column_name,
        data_type,
        is_never_null,
        column_description,
        table_description
    from {{ source('ion_entity_tables', '_ion_entity_columns') }}
)

select
    table_schema,
    table_name,
    column_number,
    column_name,
    data_type,
    is_never_null,
    column_description,
    table_description
from every_column
order by table_schema, table_name, column_number
