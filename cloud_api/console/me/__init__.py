"""Each person's own: profile, password, second factor, sign-ins; and the pages that mailed links lead to."""
