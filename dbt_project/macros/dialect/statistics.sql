{#- Statistics. -#}

{#- The quantile of a group for a given share, interpolated between the two nearest values. -#}
{% macro quantile_of(value, share) %}{{ return(adapter.dispatch('quantile_of')(value, share)) }}{% endmacro %}
{% macro duckdb__quantile_of(value, share) %}quantile_cont({{ value }}, {{ share }}){% endmacro %}
{% macro spark__quantile_of(value, share) %}percentile({{ value }}, {{ share }}){% endmacro %}
