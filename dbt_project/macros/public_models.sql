{#- The tables that analysts see, as dbt knows them, in the order of their names. -#}
{% macro public_models() %}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.access == 'public' -%}
            {%- do found.append(node) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute='schema,name')) }}
{% endmacro %}

{#- A text from a .yml in one line; none if it is not there. -#}
{% macro one_line(value) %}{{ return(value.split() | join(' ') if value else none) }}{% endmacro %}
