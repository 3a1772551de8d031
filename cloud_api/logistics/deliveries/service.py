"""The verbs of the road, as other rooms call them.

`routing`: attempts and routes before a van leaves. `desk`: what a dispatcher does by hand. `driving`: the driver's day.
`proving`: handing over. `codes`: what the customer tells the driver. `door`: money, calls, loading. `lookup`: finding
and locking. The driver's verbs take `at`, the phone's own time; None is now.
"""

from cloud_api.logistics.deliveries.codes import announce_code as announce_code
from cloud_api.logistics.deliveries.codes import enter_otp as enter_otp
from cloud_api.logistics.deliveries.codes import override_otp as override_otp
from cloud_api.logistics.deliveries.codes import send_otp as send_otp
from cloud_api.logistics.deliveries.desk import move_by_dispatcher as move_by_dispatcher
from cloud_api.logistics.deliveries.desk import plan_by_hand as plan_by_hand
from cloud_api.logistics.deliveries.desk import resequence_from as resequence_from
from cloud_api.logistics.deliveries.desk import update_delivery as update_delivery
from cloud_api.logistics.deliveries.desk import update_route as update_route
from cloud_api.logistics.deliveries.door import contact as contact
from cloud_api.logistics.deliveries.door import masked as masked
from cloud_api.logistics.deliveries.door import scan as scan
from cloud_api.logistics.deliveries.door import take_payment as take_payment
from cloud_api.logistics.deliveries.driving import complete_route as complete_route
from cloud_api.logistics.deliveries.driving import move_delivery as move_delivery
from cloud_api.logistics.deliveries.driving import start_route as start_route
from cloud_api.logistics.deliveries.lookup import deliveries_of as deliveries_of
from cloud_api.logistics.deliveries.lookup import detail as detail
from cloud_api.logistics.deliveries.lookup import get_delivery as get_delivery
from cloud_api.logistics.deliveries.lookup import get_route as get_route
from cloud_api.logistics.deliveries.lookup import lock_routes as lock_routes
from cloud_api.logistics.deliveries.lookup import next_route as next_route
from cloud_api.logistics.deliveries.lookup import open_deliveries as open_deliveries
from cloud_api.logistics.deliveries.lookup import plausible as plausible
from cloud_api.logistics.deliveries.lookup import route_of as route_of
from cloud_api.logistics.deliveries.proving import Pictures as Pictures
from cloud_api.logistics.deliveries.proving import pictures_of as pictures_of
from cloud_api.logistics.deliveries.proving import prove_delivery as prove_delivery
from cloud_api.logistics.deliveries.rounds import Round as Round
from cloud_api.logistics.deliveries.routing import NewRoute as NewRoute
from cloud_api.logistics.deliveries.routing import PlannedStop as PlannedStop
from cloud_api.logistics.deliveries.routing import assign as assign
from cloud_api.logistics.deliveries.routing import cancel_deliveries as cancel_deliveries
from cloud_api.logistics.deliveries.routing import cancel_route as cancel_route
from cloud_api.logistics.deliveries.routing import create_route as create_route
from cloud_api.logistics.deliveries.routing import hand_over as hand_over
from cloud_api.logistics.deliveries.routing import open_attempt as open_attempt
from cloud_api.logistics.deliveries.routing import resequence as resequence
from cloud_api.logistics.deliveries.routing import take_off as take_off
from cloud_api.logistics.deliveries.stops import announce_next as announce_next
from cloud_api.logistics.deliveries.today import stops_of as stops_of
from cloud_api.logistics.deliveries.today import today as today
