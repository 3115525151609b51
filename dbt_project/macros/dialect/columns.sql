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

{#-
    The text in the first column of a staging view's `source` whose name ends with these words; null without such a
    column. For a field that ION has and the shipped schema lacks: only a tenant that adopted it has the column, and its
    name may have other words before these.
-#}
{% macro adopted_text(ending) %}{{ return(adapter.dispatch('adopted_text')(ending)) }}{% endmacro %}
{% macro duckdb__adopted_text(ending) -%}
    nullif(regexp_extract(cast(to_json(source) as varchar), '"\w*{{ ending }}":"([^"]*)"', 1), '')
{%- endmacro %}
{% macro spark__adopted_text(ending) -%}
    nullif(regexp_extract(to_json(struct(source.*)), '"\\w*{{ ending }}":"([^"]*)"', 1), '')
{%- endmacro %}
