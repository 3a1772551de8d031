"""The verbs between the shelf and the customer's hands; each locks its order first, then the stock, then its list."""

from cloud_api.orders.picking.handing_over import HasOrder as HasOrder
from cloud_api.orders.picking.handing_over import ship_order as ship_order
from cloud_api.orders.picking.lines import pick_order as pick_order
from cloud_api.orders.picking.lists import cancel_list as cancel_list
from cloud_api.orders.picking.lists import complete_list as complete_list
from cloud_api.orders.picking.lists import create_list as create_list
from cloud_api.orders.picking.lists import get_list as get_list
from cloud_api.orders.picking.lists import start_list as start_list
from cloud_api.orders.picking.lists import zones_of as zones_of
from cloud_api.orders.picking.packing import fulfill_order as fulfill_order
from cloud_api.orders.picking.packing import pack_order as pack_order
from cloud_api.orders.picking.packing import packing_of as packing_of
from cloud_api.orders.picking.walk import Picker as Picker
