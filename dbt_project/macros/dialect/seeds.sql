{#-
    How a seed is filled: dbt-duckdb's own statement, with the path of the file as text. That one puts the path between
    quotes as it is, so that a quote in the name of a folder ends it, and a `*` reads the files of other folders, too.
-#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {%- set path = as_path(adapter.get_seed_file_path(model)) -%}
    {%- set filling -%}
        copy {{ this.render() }} from '{{ path }}' (format csv, header true, delimiter '{{ config.get("delimiter", ",") }}')
    {%- endset -%}
    {%- do adapter.add_query(filling, abridge_sql_log=True) -%}
    {{ return(filling) }}
{% endmacro %}

{#- The path of one file for between quotes in SQL: what begins a pattern stands for itself within brackets. -#}
{% macro as_path(path) %}
    {{- return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') | replace("'", "''")) -}}
{% endmacro %}
