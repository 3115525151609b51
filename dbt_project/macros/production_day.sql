{#- The day, and the first day of the month, that contain an instant in the organisation's time zone. -#}
{% macro production_day(instant) -%}
    {{ day_in_zone(instant, organization_setting('production_time_zone')) }}
{%- endmacro %}

{% macro production_month(instant) -%}
    {{ period_start('month', day_in_zone(instant, organization_setting('production_time_zone'))) }}
{%- endmacro %}

{#- The day of the last load, which is "today" for the warehouse. -#}
{% macro last_loaded_day() -%}
    (select days.last_day from {{ ref('int_loads__last_day') }} as days)
{%- endmacro %}
