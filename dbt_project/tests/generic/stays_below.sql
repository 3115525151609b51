{#-
    A recursion ended by itself: no value reached the limit at which it is cut off. Severity warn: rows may be linked to
    any depth, and only the part of these rows beyond the limit is missing.
-#}
{% test stays_below(model, column, cap) %}
{{ config(severity='warn') }}
select {{ column }}
from {{ model }}
where {{ column }} >= {{ cap }}
{% endtest %}
