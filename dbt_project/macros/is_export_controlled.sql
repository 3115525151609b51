{#-
    Whether a row is under export control or hangs below what is: found before a build, with the rows that were there
    (`raw_controlled`). One definition for every flag.
-#}
{% macro is_export_controlled(table, id) -%}
    coalesce({{ id }} in (select controlled.id from {{ source('ion_controlled', table) }} as controlled), false)
{%- endmacro %}

{#- The same of a custom field: of what it is on, or of what it names. Its key is the owner's id and its own. -#}
{% macro is_export_controlled_attribute(owner) -%}
    coalesce({{ row_key([owner ~ '_id', 'key']) }} in (
            select controlled.row_key from {{ source('ion_controlled', owner ~ '_attributes') }} as controlled
        ), false)
{%- endmacro %}
