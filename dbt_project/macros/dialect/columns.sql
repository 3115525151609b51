{#- What the engine's catalog says about columns. -#}

{% macro duckdb__dated_entities() %}
    {%- set query -%}
        select table_name
        from information_schema.columns
        where table_schema = 'raw' and column_name = '_updated'
    {%- endset -%}
    {{ return(run_query(query).columns[0].values()) }}
{% endmacro %}

{% macro spark__dated_entities() %}
    {%- set dated = [] -%}
    {%- for entity in ion_entities() -%}
        {%- if '_updated' in adapter.get_columns_in_relation(source('ion', entity)) | map(attribute='name') -%}
            {%- do dated.append(entity) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(dated) }}
{% endmacro %}
