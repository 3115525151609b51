{#- The name of a validation function without what spellings differ in: capitals, spaces, underscores and hyphens. -#}
{% macro limit_function_key(name) -%}
    replace(replace(replace(lower({{ name }}), ' ', ''), '_', ''), '-', '')
{%- endmacro %}
