from __future__ import annotations

from chatsite.on_demand import import_on_demand

# Of the SDK a third is used. Of Autobahn all but WAMP, with which comes a whole cryptography.
import_on_demand("anthropic", "anthropic.lib.streaming", "autobahn.twisted")
