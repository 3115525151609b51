{#- Instants and calendars. -#}

{#- The type of an instant in UTC. -#}
{% macro type_instant() %}{{ return(adapter.dispatch('type_instant')()) }}{% endmacro %}
{% macro duckdb__type_instant() %}timestamptz{% endmacro %}

{#- One row per day, both ends included. Only as an item of a select list. -#}
{% macro days_between(first_day, last_day) %}{{ return(adapter.dispatch('days_between')(first_day, last_day)) }}{% endmacro %}
{% macro duckdb__days_between(first_day, last_day) -%}
    cast(unnest(generate_series(date '{{ first_day }}', date '{{ last_day }}', interval 1 day)) as date)
{%- endmacro %}

{% macro date_label(day, pattern) %}{{ return(adapter.dispatch('date_label')(day, pattern)) }}{% endmacro %}
{% macro duckdb__date_label(day, pattern) %}strftime({{ day }}, '{{ pattern }}'){% endmacro %}

{#- 1 = Monday to 7 = Sunday. -#}
{% macro iso_weekday(day) %}{{ return(adapter.dispatch('iso_weekday')(day)) }}{% endmacro %}
{% macro duckdb__iso_weekday(day) %}isodow({{ day }}){% endmacro %}

{#- The year that the ISO week belongs to. -#}
{% macro iso_year(day) %}{{ return(adapter.dispatch('iso_year')(day)) }}{% endmacro %}
{% macro duckdb__iso_year(day) %}isoyear({{ day }}){% endmacro %}
