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

{#- A seed on Spark, with the types of its `.yml`; the rows are written into the statement, since a driver's file is not
    on the cluster. -#}
{% macro spark__create_csv_table(model, agate_table) %}
    {%- set creation -%}
        create table {{ this.render() }} (
        {%- for name in agate_table.column_names %}
            {{ adapter.quote(name) }} {{ spark_type(model['config']['column_types'][name]) }}{{ ',' if not loop.last }}
        {%- endfor %}
        ) using parquet
    {%- endset -%}
    {%- call statement('_') -%} {{ creation }} {%- endcall -%}
    {{ return(creation) }}
{% endmacro %}

{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set texts, rows = {}, [] -%}
    {%- for name in agate_table.column_names -%}{%- do texts.update({name: 'varchar'}) -%}{%- endfor -%}
    {%- for row in agate_table.rows -%}
        {%- set values = {} -%}
        {%- for name in agate_table.column_names -%}
            {%- do values.update({name: row[name] | string if row[name] is not none else none}) -%}
        {%- endfor -%}
        {%- do rows.append(values) -%}
    {%- endfor -%}
    {%- set filling -%}
        insert into {{ this.render() }}
        select
        {%- for name, type in model['config']['column_types'].items() %}
            cast({{ adapter.quote(name) }} as {{ spark_type(type) }}) as {{ adapter.quote(name) }}{{ ',' if not loop.last }}
        {%- endfor %}
        from ({{ rows_of(rows, texts) }})
    {%- endset -%}
    {%- do adapter.add_query(filling, abridge_sql_log=True) -%}
    {{ return(filling) }}
{% endmacro %}
