{#-
    Hours from a request to its answer, or to the last load while it waits; null if it was never answered and waits no
    longer, or if ION gives no time of the request. Not negative: ION's clock may be ahead of the clock of the load.
-#}
{% macro hours_waited(since, answered_at, is_waiting, last_loaded_at) -%}
    case
        when {{ since }} is not null and ({{ answered_at }} is not null or {{ is_waiting }}) then greatest(
            {{ hours_between(since, 'coalesce(' ~ answered_at ~ ', ' ~ last_loaded_at ~ ')') }}, 0
        )
    end
{%- endmacro %}
