{#- Comparing contents: hashes and sets. -#}

{#- The same text for equal values of any type; null in a list or struct counts as a value. -#}
{% macro content_hash(value) %}{{ return(adapter.dispatch('content_hash')(value)) }}{% endmacro %}
{% macro duckdb__content_hash(value) %}md5(cast(to_json({{ value }}) as varchar)){% endmacro %}
{% macro spark__content_hash(value) -%}
    md5(regexp_extract(to_json(array({{ value }}), map('ignoreNullFields', 'false')), '^.(.*).$', 1))
{%- endmacro %}
