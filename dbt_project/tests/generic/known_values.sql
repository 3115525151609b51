{#-
    The columns hold only listed values or null. Severity warn: a value that ION has added passes through to the mart,
    and this test reports it with its row count.
-#}
{% test known_values(model, columns) %}
{{ config(severity='warn') }}
{% for column, values in columns.items() %}
select
    '{{ column }}' as column_name,
    {{ column }} as finding,
    count(*) as row_count
from {{ model }}
where {{ column }} not in ({% for value in values %}'{{ value }}'{{ ', ' if not loop.last }}{% endfor %})
group by {{ column }}
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}
