{#-
    Replaces a model's view or table in place, with its comments, in one transaction. dbt-duckdb's own materializations
    create it under another name, rename the old and the new relation, drop the old one and query the columns before
    they write comments: seven more statements per model, and a quarter of the time of a small build. dbt writes the
    main statement to `target/run`, and later refreshes execute it, so it must not depend on the content of the
    warehouse.
-#}
{% materialization view, adapter='duckdb' %}
    {{ return(made_in_place(this.incorporate(type='view'))) }}
{% endmaterialization %}

{% materialization table, adapter='duckdb' %}
    {{ return(made_in_place(this.incorporate(type='table'))) }}
{% endmaterialization %}

{% macro made_in_place(target) %}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing -%}
        {%- call statement('replaced') -%} drop {{ existing.type }} if exists {{ existing }} {%- endcall -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {{ create_view_as(target, sql) if target.is_view else create_table_as(False, target, compiled_code) }}
        {{- comments(target) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#- Comments of a model and its columns for `persist_docs`, in the statement that creates it. -#}
{% macro comments(target) %}
    {%- if config.persist_relation_docs() and model.description %}
        comment on {{ target.type }} {{ target }} is {{ duckdb_escape_comment(model.description) }};
    {%- endif %}
    {%- if config.persist_column_docs() %}
        {%- for column in model.columns.values() if column.description %}
        comment on column {{ target }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}

{#-
    A table on Spark has the types of its contract, to which an insert converts the values of the query or fails. Columns
    that may not be null are counted: files hold no such constraint. Comments are not written there: what is published
    takes them from the models.
-#}
{% materialization table, adapter='spark' %}
    {{ return(stored_on_spark(this.incorporate(type='table'))) }}
{% endmaterialization %}

{#- A view that needs rounds is a table on Spark. -#}
{% materialization view, adapter='spark' %}
    {{ return(stored_on_spark(this.incorporate(type='table' if spark__rounds_begin() in sql else 'view'))) }}
{% endmaterialization %}

{% macro stored_on_spark(target) %}
    {%- set existing, stored = load_cached_relation(this), [] -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing and not (existing.is_view and target.is_view) -%}
        {%- call statement('replaced') -%} drop {{ existing.type }} if exists {{ existing }} {%- endcall -%}
    {%- endif -%}
    {%- set query = rounds_run(sql, stored) -%}
    {%- if target.is_view -%}
        {%- call statement('main') -%} create or replace view {{ target }} as {{ query }} {%- endcall -%}
    {%- elif config.get('contract').enforced -%}
        {%- call statement('promised') -%}
            create table {{ target }} (
            {%- for column in model.columns.values() %}
                {{ adapter.quote(column.name) }} {{ spark_type(column.data_type) }}{{ ',' if not loop.last }}
            {%- endfor %}
            ) using parquet
        {%- endcall -%}
        {%- call statement('main') -%} insert into {{ target }} by name {{ query }} {%- endcall -%}
        {%- do refuse_nulls(target) -%}
    {%- else -%}
        {%- call statement('main') -%} create table {{ target }} using parquet as {{ query }} {%- endcall -%}
    {%- endif -%}
    {%- for table in stored -%}
        {%- do run_query('drop table if exists ' ~ table) -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#- Fails if a column of the table is null although its contract says that it never is. -#}
{% macro refuse_nulls(target) %}
    {%- set promised = [] -%}
    {%- for column in model.columns.values() if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do promised.append(column.name) -%}
    {%- endfor -%}
    {%- if promised -%}
        {%- set counts -%}
            select
            {%- for name in promised %}
                count_if({{ adapter.quote(name) }} is null) as {{ adapter.quote(name) }}{{ ',' if not loop.last }}
            {%- endfor %}
            from {{ target }}
        {%- endset -%}
        {%- for name, nulls in run_query(counts).rows[0].dict().items() if nulls -%}
            {%- do exceptions.raise_compiler_error(target ~ '.' ~ name ~ ' is null in ' ~ nulls ~ ' rows.') -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
