{#- Periods: rows with valid_from and valid_until; the end is exclusive and never null. -#}

{#- An instant later than all others, and one earlier than all others. -#}
{% macro end_of_time() %}{{ return(adapter.dispatch('end_of_time')()) }}{% endmacro %}
{% macro duckdb__end_of_time() %}cast('infinity' as timestamptz){% endmacro %}
{% macro spark__end_of_time() %}timestamp_micros(9223372036854775807L){% endmacro %}

{% macro start_of_time() %}{{ return(adapter.dispatch('start_of_time')()) }}{% endmacro %}
{% macro duckdb__start_of_time() %}cast('-infinity' as timestamptz){% endmacro %}
{% macro spark__start_of_time() %}timestamp_micros(-9223372036854775807L){% endmacro %}
