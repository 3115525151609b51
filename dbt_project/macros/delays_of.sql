{#-
  The distribution of delays in a CTE `delays`, one row per `key`. A quantile is a delay that occurs: the shortest one
  within which that share of the changes was published.
-#}
{% macro delays_of(key) -%}
    select
        {{ key }},
        cast(sum(change_count) as bigint) as delayed_change_count,
        min(case when changes_so_far >= 0.5 * changes then delay_seconds end) as delay_median_seconds,
        min(case when changes_so_far >= 0.99 * changes then delay_seconds end) as delay_p99_seconds,
        max(delay_seconds) as delay_max_seconds
    from (
        select
            *,
            sum(change_count) over (
                partition by {{ key }} order by delay_seconds rows between unbounded preceding and current row
            ) as changes_so_far,
            sum(change_count) over (partition by {{ key }}) as changes
        from delays
    ) as counted
    group by {{ key }}
{%- endmacro %}
