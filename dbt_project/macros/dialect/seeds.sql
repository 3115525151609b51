{#-
    Fills a seed with dbt-duckdb's statement, but with an escaped file path. dbt-duckdb puts the path between quotes
    unchanged: a quote in the name of a folder would end the text, and a `*` would also read files of other folders.
-#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {%- set path = as_path(adapter.get_seed_file_path(model)) -%}
    {%- set filling -%}
        copy {{ this.render() }} from '{{ path }}' (format csv, header true, delimiter '{{ config.get("delimiter", ",") }}')
    {%- endset -%}
    {%- do adapter.add_query(filling, abridge_sql_log=True) -%}
    {{ return(filling) }}
{% endmacro %}

{#- The path of one file as the content of a SQL text; brackets make pattern characters literal. -#}
{% macro as_path(path) %}
    {{- return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') | replace("'", "''")) -}}
{% endmacro %}
