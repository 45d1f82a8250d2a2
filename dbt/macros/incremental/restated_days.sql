{#-
    The days whose figures may have changed in this window, as a query with the one column `day`:
    those of the rows that arrived, and those of the silver rows that these may have displaced.
-#}
{% macro restated_days() -%}
    select cast(ts as date) as day
    from {{ ref('purchases_bronze') }}
    where {{ in_window() }}
    union
    select day
    from {{ source('raw', 'transform_prior_winners') }}
{%- endmacro %}
