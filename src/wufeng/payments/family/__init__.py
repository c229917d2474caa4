"""Family cards (亲属卡): a person lets another spend from their wallet or a line, within a cap a month."""
