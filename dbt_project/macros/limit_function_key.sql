{#- The name of a validation function without capitals, spaces, underscores and hyphens, in which spellings differ. -#}
{% macro limit_function_key(name) -%}
    replace(replace(replace(lower({{ name }}), ' ', ''), '_', ''), '-', '')
{%- endmacro %}
