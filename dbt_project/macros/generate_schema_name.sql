{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- The schemas are part of the public contract: exactly these names, without the prefix of the target. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
