{#- Aggregates over numbers. -#}

{#- The product of a group's values, nulls left out; not by way of logarithms, which have none for zero. -#}
{% macro product_of(value) %}{{ return(adapter.dispatch('product_of')(value)) }}{% endmacro %}
{% macro duckdb__product_of(value) %}product({{ value }}){% endmacro %}
