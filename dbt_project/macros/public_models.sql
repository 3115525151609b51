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

{#- The columns that identify a row of each public table, by the model's unique_id: a key that a test or a constraint
    guarantees. -#}
{% macro public_keys() %}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'test' and node.test_metadata -%}
            {%- if node.test_metadata.name == 'unique_combination' -%}
                {%- do found.update({node.attached_node: node.test_metadata.kwargs.columns}) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- for constraint in node.constraints if constraint.type == 'primary_key' -%}
                {%- do found.update({node.unique_id: constraint.columns}) -%}
            {%- endfor -%}
            {%- for column in node.columns.values() -%}
                {%- if column.constraints | selectattr('type', 'equalto', 'primary_key') | list -%}
                    {%- do found.update({node.unique_id: [column.name]}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

{#- The column that each name of a key column refers to, as `schema.table.column`. -#}
{% macro targets_of_keys() %}
    {%- set found = {} -%}
    {%- for target, names in var('refers_to').items() -%}
        {%- for name in names -%}{%- do found.update({name: target}) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
