-- Every accepted line and every quarantined one is counted once in the data quality of its day.

{% set comparable = taken_in_by(['purchases_silver', 'purchase_losers_silver', 'data_quality_gold']) %}

with counted as (

    select
        (
            select count(*)
            from {{ source('raw', 'raw_purchases_staging') }}
            where _load_seq <= {{ window_bounds().hi }}
        ) as staging_rows,
        (select count(*) from {{ ref('quarantine_silver') }}) as quarantined_lines,
        (select coalesce(sum(accepted), 0) from {{ ref('data_quality_gold') }}) as accepted,
        (select coalesce(sum(quarantined), 0) from {{ ref('data_quality_gold') }}) as quarantined

)

select *
from counted
where {{ comparable }}
    and (staging_rows <> accepted or quarantined_lines <> quarantined)
