{#- The lengths of period that metrics are given for, as rows beside each other. -#}
{% macro period_types() %}
    {{ return(['day', 'week', 'month']) }}
{% endmacro %}
