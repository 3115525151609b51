{%- set never_null = ['not_null', 'primary_key'] -%}
{%- set keys = public_keys() -%}
{%- set targets = targets_of_keys() -%}
{%- set rows = [] -%}
{%- for model in public_models() -%}
    {%- set table_description = one_line(model.description) -%}
    {%- set key = keys.get(model.unique_id, []) | list -%}
    {%- for column in model.columns.values() -%}
        {%- set name = [model.schema, model.alias, column.name] | join('.') -%}
        {%- set target = targets.get(column.name) -%}
        {%- do rows.append({
            'table_schema': model.schema,
            'table_name': model.alias,
            'column_number': loop.index,
            'column_name': column.name,
            'data_type': column.data_type,
            'is_never_null': column.constraints | selectattr('type', 'in', never_null) | list != [],
            'key_number': key.index(column.name) + 1 if column.name in key else none,
            'refers_to': target if target != name else none,
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
        'key_number': 'bigint',
        'refers_to': 'varchar',
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
        key_number,
        refers_to,
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
        key_number,
        refers_to,
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
    key_number,
    refers_to,
    column_description,
    table_description
from every_column
order by table_schema, table_name, column_number
