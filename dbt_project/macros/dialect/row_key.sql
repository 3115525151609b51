{#- A key of several columns as one text, in the loader's format. -#}
{% macro row_key(columns) %}{{ return(adapter.dispatch('row_key')(columns)) }}{% endmacro %}
{% macro duckdb__row_key(columns) -%}
    concat_ws(chr(31), {{ columns | join(', ') }})
{%- endmacro %}
{% macro spark__row_key(columns) -%}
    concat_ws(chr(31), {{ columns | join(', ') }})
{%- endmacro %}
