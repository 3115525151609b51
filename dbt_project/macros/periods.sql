{#- Day, week and month of the tables that exist in each of them. A count is in one row of each table. -#}

{#- Name of the column with the period: its first day. -#}
{% macro period_column(period) -%}
    {{ {'day': 'day_on', 'week': 'week_starts_on', 'month': 'month_starts_on'}[period] }}
{%- endmacro %}

{#- First day of the period that contains a day. -#}
{% macro period_of(period, day) -%}
    {{ day if period == 'day' else period_start(period, day) }}
{%- endmacro %}
