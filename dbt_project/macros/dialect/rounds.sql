{#-
    Recursive CTEs that an engine may have to run round by round. DuckDB runs such a query as one statement. Spark
    refuses `union` in a recursion, an aggregate there, and a second reference to the rows of the round before; its
    materializations run each round as a statement over a table of the rows found so far (`rounds_run`).

        reached as (
            {{ rounds_begin() }}
            select … from edges
            {{ rounds_repeat('union') }}
            select … from reached inner join edges …
            {{ rounds_end() }}
        ),

    Without `rounds_repeat`, the CTE is stored as a table: for one that many others refer to, which Spark would otherwise
    plan and compute anew for each of them.
-#}

{% macro rounds_begin() %}{{ return(adapter.dispatch('rounds_begin')()) }}{% endmacro %}
{% macro duckdb__rounds_begin() %}{% endmacro %}
{% macro spark__rounds_begin() %}/* rounds begin */{% endmacro %}

{#- `union` drops rows that an earlier round found; `union all` keeps them. -#}
{% macro rounds_repeat(union) %}{{ return(adapter.dispatch('rounds_repeat')(union)) }}{% endmacro %}
{% macro duckdb__rounds_repeat(union) %}{{ union }}{% endmacro %}
{% macro spark__rounds_repeat(union) %}/* rounds repeat */ {{ union }} /* rounds repeat */{% endmacro %}

{% macro rounds_end() %}{{ return(adapter.dispatch('rounds_end')()) }}{% endmacro %}
{% macro duckdb__rounds_end() %}{% endmacro %}
{% macro spark__rounds_end() %}/* rounds end */{% endmacro %}

{#- Rounds of leaf stripping before cycles are searched in what is left: each round is a statement on Spark. -#}
{% macro strip_rounds() %}{{ return(adapter.dispatch('strip_rounds')()) }}{% endmacro %}
{% macro duckdb__strip_rounds() %}{{ var('cycle_strip_rounds') }}{% endmacro %}
{% macro spark__strip_rounds() %}{{ [var('cycle_strip_rounds'), 12] | min }}{% endmacro %}

{#-
    Runs the rounds of a query on Spark, and returns the query over the tables that hold their rows. `stored` gets the
    names of these tables: the caller drops them when the query has run.
-#}
{% macro rounds_run(query, stored) %}
    {%- set rest = namespace(query=query) -%}
    {%- for _ in range(query.count(spark__rounds_begin())) -%}
        {%- set before, inner = rest.query.split(spark__rounds_begin(), 1) -%}
        {%- set rounds, after = inner.split(spark__rounds_end(), 1) -%}
        {%- set table = this.schema ~ '.' ~ this.identifier ~ '__rounds_' ~ loop.index -%}
        {%- do stored.append(table) -%}
        {%- do rounds_stored(table, before, rounds.split('/* rounds repeat */')) -%}
        {%- set rest.query = before ~ 'select * except (rounds_number) from ' ~ table ~ after -%}
    {%- endfor -%}
    {{ return(rest.query) }}
{% endmacro %}

{#-
    Fills a table with the rows of all rounds of one CTE. `before` is the query up to the bracket that begins the CTE.
    The next round reads the rows that the round before it added; the last one adds none.
-#}
{% macro rounds_stored(table, before, rounds) %}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- set distinct = 'distinct ' if rounds | length > 1 and rounds[1] | trim == 'union' else '' -%}
    {%- do run_query(
        'create table ' ~ table ~ ' using parquet partitioned by (rounds_number) as ' ~ before ~ 'select 1 as unused), '
        ~ 'rounds_first as (' ~ rounds[0] ~ ') select ' ~ distinct ~ '*, 0 as rounds_number from rounds_first'
    ) -%}
    {%- set found = namespace(is_new=rounds | length > 1) -%}
    {%- for number in range(1, var('rounds_limit')) if found.is_new -%}
        {%- do run_query(
            'insert into ' ~ table ~ ' partition (rounds_number = ' ~ number ~ ') ' ~ before
            ~ 'select * except (rounds_number) from ' ~ table ~ ' where rounds_number = ' ~ (number - 1) ~ '), '
            ~ 'rounds_next as (' ~ rounds[2] ~ ') select ' ~ distinct ~ '* from rounds_next'
            ~ (' except select * except (rounds_number) from ' ~ table if distinct else '')
        ) -%}
        {%- set found.is_new = run_query(
            'select 1 from ' ~ table ~ ' where rounds_number = ' ~ number ~ ' limit 1'
        ).rows | length > 0 -%}
    {%- endfor -%}
    {%- if found.is_new -%}
        {%- do exceptions.raise_compiler_error(table ~ ' still finds rows after ' ~ var('rounds_limit') ~ ' rounds.') -%}
    {%- endif -%}
{% endmacro %}
