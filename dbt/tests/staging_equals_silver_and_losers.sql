-- Every staging row up to the window's end is a purchase in silver, a duplicate or a conflict, and
-- only one of them. Each side is counted by itself. Returns the counts if they differ.

{% set comparable = taken_in_by(['purchases_silver', 'purchase_losers_silver',
    'purchase_duplicates_silver', 'purchase_conflicts_silver']) %}

with counted as (

    select
        (
            select count(*)
            from {{ source('raw', 'raw_purchases_staging') }}
            where _load_seq <= {{ window_bounds().hi }}
        ) as staging_rows,
        (select count(*) from {{ ref('purchases_silver') }}) as silver_rows,
        (select count(*) from {{ ref('purchase_duplicates_silver') }}) as duplicates,
        (select count(*) from {{ ref('purchase_conflicts_silver') }}) as conflicts

)

select *
from counted
where {{ comparable }}
    and staging_rows <> silver_rows + duplicates + conflicts
