{#- Lists, maps and structs. One macro per idea, one implementation per engine. -#}

{#- Columns to sort by as one value for Spark's functions, which take nulls first where DuckDB takes them last. -#}
{% macro spark_sort_key(order_by) -%}
    struct({% for column in order_by.split(', ') %}{{ column }} is null, {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro list_of(value, order_by) %}{{ return(adapter.dispatch('list_of')(value, order_by)) }}{% endmacro %}
{% macro duckdb__list_of(value, order_by) %}list({{ value }} order by {{ order_by }}){% endmacro %}
{% macro spark__list_of(value, order_by) -%}
    {%- if value.startswith('distinct ') -%}
    array_sort(collect_set({{ value[9:] }}))
    {%- else -%}
    transform(array_sort(collect_list(struct({{ spark_sort_key(order_by) }} as k, {{ value }} as v))), x -> x.v)
    {%- endif -%}
{%- endmacro %}

{% macro list_append(values, value) %}{{ return(adapter.dispatch('list_append')(values, value)) }}{% endmacro %}
{% macro duckdb__list_append(values, value) %}list_append({{ values }}, {{ value }}){% endmacro %}
{% macro spark__list_append(values, value) %}array_append({{ values }}, {{ value }}){% endmacro %}

{% macro list_with(value) %}{{ return(adapter.dispatch('list_with')(value)) }}{% endmacro %}
{% macro duckdb__list_with(value) %}[{{ value }}]{% endmacro %}
{% macro spark__list_with(value) %}array({{ value }}){% endmacro %}

{#- One row per element; the order of the rows follows the list. Only as an item of a select list. -#}
{% macro each_of(values) %}{{ return(adapter.dispatch('each_of')(values)) }}{% endmacro %}
{% macro duckdb__each_of(values) %}unnest({{ values }}){% endmacro %}
{% macro spark__each_of(values) %}explode({{ values }}){% endmacro %}

{#- A map of all rows of a group; keys must be unique and not null. -#}
{% macro map_of(key, value) %}{{ return(adapter.dispatch('map_of')(key, value)) }}{% endmacro %}
{% macro duckdb__map_of(key, value) %}map(list({{ key }} order by {{ key }}), list({{ value }} order by {{ key }})){% endmacro %}
{% macro spark__map_of(key, value) %}map_from_entries(array_sort(collect_list(struct({{ key }}, {{ value }})))){% endmacro %}

{#- A struct of columns under their own names. -#}
{% macro struct_of(columns) %}{{ return(adapter.dispatch('struct_of')(columns)) }}{% endmacro %}
{% macro duckdb__struct_of(columns) -%}
    struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro spark__struct_of(columns) -%}
    named_struct({% for column in columns %}'{{ column.split('.')[-1] }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- A row of a relation as one struct. -#}
{% macro whole_row(relation) %}{{ return(adapter.dispatch('whole_row')(relation)) }}{% endmacro %}
{% macro duckdb__whole_row(relation) %}{{ relation }}{% endmacro %}
{% macro spark__whole_row(relation) %}struct({{ relation }}.*){% endmacro %}

{% macro empty_list() %}{{ return(adapter.dispatch('empty_list')()) }}{% endmacro %}
{% macro duckdb__empty_list() %}[]{% endmacro %}
{% macro spark__empty_list() %}array(){% endmacro %}

{% macro first_element(values) %}{{ return(adapter.dispatch('first_element')(values)) }}{% endmacro %}
{% macro duckdb__first_element(values) %}{{ values }}[1]{% endmacro %}
{% macro spark__first_element(values) %}get({{ values }}, 0){% endmacro %}

{% macro list_has(values, value) %}{{ return(adapter.dispatch('list_has')(values, value)) }}{% endmacro %}
{% macro duckdb__list_has(values, value) %}list_contains({{ values }}, {{ value }}){% endmacro %}
{% macro spark__list_has(values, value) %}array_contains({{ values }}, {{ value }}){% endmacro %}

{#- Whether all values of the other list are in the list. -#}
{% macro list_has_all(values, others) %}{{ return(adapter.dispatch('list_has_all')(values, others)) }}{% endmacro %}
{% macro duckdb__list_has_all(values, others) %}list_has_all({{ values }}, {{ others }}){% endmacro %}
{% macro spark__list_has_all(values, others) %}size(array_except({{ others }}, {{ values }})) = 0{% endmacro %}

{% macro list_length(values) %}{{ return(adapter.dispatch('list_length')(values)) }}{% endmacro %}
{% macro duckdb__list_length(values) %}len({{ values }}){% endmacro %}
{% macro spark__list_length(values) %}cast(array_size({{ values }}) as bigint){% endmacro %}

{#- The largest of the elements at the given positions, counted from 1; 0 if no position is given. -#}
{% macro largest_at(values, positions) %}{{ return(adapter.dispatch('largest_at')(values, positions)) }}{% endmacro %}
{% macro duckdb__largest_at(values, positions) -%}
    coalesce(list_max(list_transform({{ positions }}, lambda place: {{ values }}[place])), 0)
{%- endmacro %}
{% macro spark__largest_at(values, positions) -%}
    coalesce(array_max(transform({{ positions }}, place -> get({{ values }}, cast(place - 1 as int)))), 0)
{%- endmacro %}

{% macro list_of_texts(values) %}{{ return(adapter.dispatch('list_of_texts')(values)) }}{% endmacro %}
{% macro duckdb__list_of_texts(values) %}cast({{ values }} as varchar[]){% endmacro %}
{% macro spark__list_of_texts(values) %}cast({{ values }} as array<string>){% endmacro %}

{#- A list as one text, for tools without lists; null if it has no elements. -#}
{% macro list_text(values, separator=', ') %}{{ return(adapter.dispatch('list_text')(values, separator)) }}{% endmacro %}
{% macro duckdb__list_text(values, separator) -%}
    nullif(array_to_string({{ duckdb__list_of_texts(values) }}, '{{ separator }}'), '')
{%- endmacro %}
{% macro spark__list_text(values, separator) -%}
    nullif(array_join({{ spark__list_of_texts(values) }}, '{{ separator }}'), '')
{%- endmacro %}

{#- The value in the first row of a group, by a given order. -#}
{% macro first_of(value, order_by) %}{{ return(adapter.dispatch('first_of')(value, order_by)) }}{% endmacro %}
{% macro duckdb__first_of(value, order_by) %}first({{ value }} order by {{ order_by }}){% endmacro %}
{% macro spark__first_of(value, order_by) -%}
    {%- if order_by.endswith(' desc') -%}
    max_by({{ value }}, {{ order_by[:-5] }})
    {%- else -%}
    min_by({{ value }}, {{ spark_sort_key(order_by) }})
    {%- endif -%}
{%- endmacro %}

{#- One of a group's values that are not null; for groups in which they are all equal. -#}
{% macro any_of(value) %}{{ return(adapter.dispatch('any_of')(value)) }}{% endmacro %}
{% macro duckdb__any_of(value) %}any_value({{ value }}){% endmacro %}
{% macro spark__any_of(value) %}any_value({{ value }}, true){% endmacro %}

{#- The distinct values of a group, ascending, without nulls. -#}
{% macro ids_of(value) %}{{ return(adapter.dispatch('ids_of')(value)) }}{% endmacro %}
{% macro duckdb__ids_of(value) %}coalesce(list_sort(list(distinct {{ value }}) filter ({{ value }} is not null)), []){% endmacro %}
{% macro spark__ids_of(value) %}array_sort(collect_set({{ value }})){% endmacro %}

{#- The distinct texts of a group, ascending, with an empty text for null. -#}
{% macro texts_or_blank(value) %}{{ return(adapter.dispatch('texts_or_blank')(value)) }}{% endmacro %}
{% macro duckdb__texts_or_blank(value) %}list_sort(list_distinct(list(coalesce({{ value }}, '')))){% endmacro %}
{% macro spark__texts_or_blank(value) %}array_sort(collect_set(coalesce({{ value }}, ''))){% endmacro %}

{#- A list of the values that are not null, in the order given. -#}
{% macro list_without_nulls(values) %}{{ return(adapter.dispatch('list_without_nulls')(values)) }}{% endmacro %}
{% macro duckdb__list_without_nulls(values) -%}
    list_filter([{{ values | join(', ') }}], lambda item: item is not null)
{%- endmacro %}
{% macro spark__list_without_nulls(values) -%}
    filter(array({{ values | join(', ') }}), item -> item is not null)
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
{% macro spark__rows_of(rows, types) -%}
    {%- set fields = [] -%}
    {%- for name, type in types.items() -%}{%- do fields.append('`' ~ name ~ '`: ' ~ spark_type(type)) -%}{%- endfor -%}
    select inline(from_json(
        {{ dbt.string_literal(dbt.escape_single_quotes(tojson(rows) | replace('\\', '\\\\'))) }},
        'array<struct<{{ fields | join(', ') }}>>'
    ))
{%- endmacro %}
