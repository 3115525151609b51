{#- Lists, maps and structs. One macro per idea, one implementation per engine. -#}

{% macro list_of(value, order_by) %}{{ return(adapter.dispatch('list_of')(value, order_by)) }}{% endmacro %}
{% macro duckdb__list_of(value, order_by) %}list({{ value }} order by {{ order_by }}){% endmacro %}

{% macro list_append(values, value) %}{{ return(adapter.dispatch('list_append')(values, value)) }}{% endmacro %}
{% macro duckdb__list_append(values, value) %}list_append({{ values }}, {{ value }}){% endmacro %}

{% macro list_with(value) %}{{ return(adapter.dispatch('list_with')(value)) }}{% endmacro %}
{% macro duckdb__list_with(value) %}[{{ value }}]{% endmacro %}

{#- One row per element; the order of the rows follows the list. Only as an item of a select list. -#}
{% macro each_of(values) %}{{ return(adapter.dispatch('each_of')(values)) }}{% endmacro %}
{% macro duckdb__each_of(values) %}unnest({{ values }}){% endmacro %}

{#- A map of all rows of a group; keys must be unique and not null. -#}
{% macro map_of(key, value) %}{{ return(adapter.dispatch('map_of')(key, value)) }}{% endmacro %}
{% macro duckdb__map_of(key, value) %}map(list({{ key }} order by {{ key }}), list({{ value }} order by {{ key }})){% endmacro %}

{#- A struct of columns under their own names. -#}
{% macro struct_of(columns) %}{{ return(adapter.dispatch('struct_of')(columns)) }}{% endmacro %}
{% macro duckdb__struct_of(columns) -%}
    struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro empty_list() %}{{ return(adapter.dispatch('empty_list')()) }}{% endmacro %}
{% macro duckdb__empty_list() %}[]{% endmacro %}

{% macro first_element(values) %}{{ return(adapter.dispatch('first_element')(values)) }}{% endmacro %}
{% macro duckdb__first_element(values) %}{{ values }}[1]{% endmacro %}

{% macro list_has(values, value) %}{{ return(adapter.dispatch('list_has')(values, value)) }}{% endmacro %}
{% macro duckdb__list_has(values, value) %}list_contains({{ values }}, {{ value }}){% endmacro %}

{#- Whether all values of the other list are in the list. -#}
{% macro list_has_all(values, others) %}{{ return(adapter.dispatch('list_has_all')(values, others)) }}{% endmacro %}
{% macro duckdb__list_has_all(values, others) %}list_has_all({{ values }}, {{ others }}){% endmacro %}

{% macro list_length(values) %}{{ return(adapter.dispatch('list_length')(values)) }}{% endmacro %}
{% macro duckdb__list_length(values) %}len({{ values }}){% endmacro %}

{% macro list_of_texts(values) %}{{ return(adapter.dispatch('list_of_texts')(values)) }}{% endmacro %}
{% macro duckdb__list_of_texts(values) %}cast({{ values }} as varchar[]){% endmacro %}

{#- The value in the first row of a group, by a given order. -#}
{% macro first_of(value, order_by) %}{{ return(adapter.dispatch('first_of')(value, order_by)) }}{% endmacro %}
{% macro duckdb__first_of(value, order_by) %}first({{ value }} order by {{ order_by }}){% endmacro %}

{#- The distinct values of a group, ascending, without nulls. -#}
{% macro ids_of(value) %}{{ return(adapter.dispatch('ids_of')(value)) }}{% endmacro %}
{% macro duckdb__ids_of(value) %}coalesce(list_sort(list(distinct {{ value }}) filter ({{ value }} is not null)), []){% endmacro %}

{#- A list of the values that are not null, in the order given. -#}
{% macro list_without_nulls(values) %}{{ return(adapter.dispatch('list_without_nulls')(values)) }}{% endmacro %}
{% macro duckdb__list_without_nulls(values) -%}
    list_filter([{{ values | join(', ') }}], lambda item: item is not null)
{%- endmacro %}

{#-
    Rows written into the query, with one column per name in `types`. They are passed as one JSON text, because
    rendering and parsing a literal per value would be slow.
-#}
{% macro rows_of(rows, types) %}{{ return(adapter.dispatch('rows_of')(rows, types)) }}{% endmacro %}
{% macro duckdb__rows_of(rows, types) -%}
    select unnest(
        from_json({{ dbt.string_literal(dbt.escape_single_quotes(tojson(rows))) }}, '{{ tojson([types]) }}'),
        recursive := true
    )
{%- endmacro %}
