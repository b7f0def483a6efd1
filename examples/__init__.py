"""The example: a consumer brand and a grocery retailer that measure campaigns together.

Purchases, campaigns and coupons are real (The Complete Journey, 2017); people are synthetic, with the dirt
that real exports have. ``python -m examples --help`` sets it up, computes the truth and removes it again.
Nothing here is used by the DAGs.
"""
