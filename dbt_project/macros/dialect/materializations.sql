{#-
    How a model becomes a view or a table: in its place, with its comments, in one transaction. dbt-duckdb's own way makes
    it under another name, renames the old one and the new one, drops the old one and asks for the columns before it
    comments on them: seven statements more for a model, and a quarter of a small build.
    The main statement is what dbt writes to `target/run`, and what later refreshes execute: it depends on nothing that
    the warehouse holds.
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

{#- What is said of a model and its columns, as `persist_docs` asks for it, in the statement that makes it. -#}
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
