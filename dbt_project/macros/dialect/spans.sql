{#- Spans of time: rows with valid_from and valid_until, the end not included and never null. -#}

{#- Later than every instant, and earlier than every instant. -#}
{% macro end_of_time() %}{{ return(adapter.dispatch('end_of_time')()) }}{% endmacro %}
{% macro duckdb__end_of_time() %}cast('infinity' as timestamptz){% endmacro %}

{% macro start_of_time() %}{{ return(adapter.dispatch('start_of_time')()) }}{% endmacro %}
{% macro duckdb__start_of_time() %}cast('-infinity' as timestamptz){% endmacro %}
