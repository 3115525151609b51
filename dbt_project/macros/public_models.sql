{#- The public tables as dbt nodes, in the order of their names. -#}
{% macro public_models() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.access == 'public' -%}
            {%- do found.append(node) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute='schema,name')) }}
{% endmacro %}

{#- A text from a .yml on one line; none if it does not exist. -#}
{% macro one_line(value) %}{{ return(value.split() | join(' ') if value else none) }}{% endmacro %}
