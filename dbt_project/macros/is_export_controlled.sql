{#-
    Whether a row is under export control, itself or through a record it belongs to. The loader finds these rows before
    a build (`raw_controlled`); every flag uses this definition.
-#}
{% macro is_export_controlled(table, id) -%}
    coalesce({{ id }} in (select controlled.id from {{ source('ion_controlled', table) }} as controlled), false)
{%- endmacro %}

{#- The same for a row whose key has several columns, such as a link. -#}
{% macro is_export_controlled_row(table, columns) -%}
    coalesce({{ row_key(columns) }} in (
            select controlled.row_key from {{ source('ion_controlled', table) }} as controlled
        ), false)
{%- endmacro %}

{#- The same for a custom field: its owner or the record it references is controlled. -#}
{% macro is_export_controlled_attribute(owner) -%}
    {{ is_export_controlled_row(owner ~ '_attributes', [owner ~ '_id', 'key']) }}
{%- endmacro %}
