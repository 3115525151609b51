{#-
    Periods: rows with valid_from and valid_until; the end is exclusive and never null. Keys without changes have only
    open periods, so the work on changes is limited to keys that have changes.
-#}

{#- All rows of a staged history, with a period end that is never null. -#}
{% macro spans_of(relation) -%}
select
        *,
        coalesce(valid_to, {{ end_of_time() }}) as valid_until
    from {{ relation }}
{%- endmacro %}

{% macro common_span(left, right) -%}
greatest({{ left }}.valid_from, {{ right }}.valid_from) as valid_from,
        least({{ left }}.valid_until, {{ right }}.valid_until) as valid_until
{%- endmacro %}

{% macro overlap(left, right) -%}
({{ left }}.valid_from < {{ right }}.valid_until and {{ right }}.valid_from < {{ left }}.valid_until)
{%- endmacro %}

{#- Periods in which keys of the relation have no row: before, between and after their periods. -#}
{% macro uncovered(relation, keys) %}
    {%- set columns = keys | join(', ') %}
    select
        {{ columns }},
        coalesce(covered_until, {{ start_of_time() }}) as valid_from,
        valid_from as valid_until
    from (
        select
            {{ columns }},
            valid_from,
            max(valid_until) over (
                partition by {{ columns }} order by valid_from rows between unbounded preceding and 1 preceding
            ) as covered_until
        from {{ relation }}
        where
            ({{ columns }}) in (
                select {{ columns }}
                from {{ relation }} as late
                where
                    late.valid_until < {{ end_of_time() }}
                    or late.valid_from > (select first_load.valid_from from {{ ref('int_loads__first') }} as first_load)
            )
    ) as preceded
    where valid_from > coalesce(covered_until, {{ start_of_time() }})
    union all
    select
        {{ columns }},
        max(valid_until) as valid_from,
        {{ end_of_time() }} as valid_until
    from {{ relation }}
    group by {{ columns }}
    having max(valid_until) < {{ end_of_time() }}
{% endmacro %}

{#-
    The relation with adjacent and overlapping periods of a key merged where their content is equal. The columns
    `earliest` and `latest` do not count as content: they come from the first and the last merged period.
-#}
{% macro merged_spans(relation, key, content, earliest=[], latest=[]) %}
    select
        {{ ([key] + content + earliest + latest) | join(',\n        ') }},
        valid_from,
        valid_until
    from {{ relation }}
    where {{ key }} not in (select ended.{{ key }} from {{ relation }} as ended where ended.valid_until < {{ end_of_time() }})
    union all
    select
        {{ key }},
        {% for column in content %}
            {{ any_of(column) }} as {{ column }},
        {% endfor %}
        {% for column in earliest %}
            min_by({{ column }}, valid_from) as {{ column }},
        {% endfor %}
        {% for column in latest %}
            max_by({{ column }}, valid_from) as {{ column }},
        {% endfor %}
        min(valid_from) as valid_from,
        max(valid_until) as valid_until
    from (
        select
            *,
            sum(is_new) over (partition by {{ key }} order by valid_from rows unbounded preceding) as island
        from (
            select
                *,
                case
                    when
                        lag(valid_until) over (partition by {{ key }} order by valid_from) >= valid_from
                        {% for column in content %}
                            and (
                                {{ column }} is not distinct from
                                lag({{ column }}) over (partition by {{ key }} order by valid_from)
                            )
                        {% endfor %}
                        then 0
                    else 1
                end as is_new
            from {{ relation }}
            where
                {{ key }} in (
                    select ended.{{ key }} from {{ relation }} as ended where ended.valid_until < {{ end_of_time() }}
                )
        ) as compared
    ) as numbered
    group by {{ key }}, island
{% endmacro %}

{#- Periods in which the keys have at least one row. -#}
{% macro united_spans(relation, keys) %}
    select
        {{ keys | join(', ') }},
        min(valid_from) as valid_from,
        max(valid_until) as valid_until
    from (
        select
            *,
            sum(is_new) over (
                partition by {{ keys | join(', ') }} order by valid_from, is_new desc rows unbounded preceding
            ) as island
        from (
            select
                *,
                case
                    when
                        valid_from <= max(valid_until) over (
                            partition by {{ keys | join(', ') }}
                            order by valid_from rows between unbounded preceding and 1 preceding
                        )
                        then 0
                    else 1
                end as is_new
            from {{ relation }}
        ) as compared
    ) as numbered
    group by {{ keys | join(', ') }}, island
{% endmacro %}
