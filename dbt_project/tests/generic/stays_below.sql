{#-
    A recursion ended by itself: no value has reached the limit at which it is cut off. A warning: rows may be linked to
    any depth, and what lies beyond the limit is left out, of these rows alone.
-#}
{% test stays_below(model, column, cap) %}
{{ config(severity='warn') }}
select {{ column }}
from {{ model }}
where {{ column }} >= {{ cap }}
{% endtest %}
