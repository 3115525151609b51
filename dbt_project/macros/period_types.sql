{#- The period lengths for which metrics are computed, one row each. -#}
{% macro period_types() %}
    {{ return(['day', 'week', 'month']) }}
{% endmacro %}
