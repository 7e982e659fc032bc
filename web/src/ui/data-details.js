// What the Data panel shows once there are data: loaded then, so that the first visit need not wait for it.
import './data-corrections.js';
import './data-preparation.js';
import './data-understood.js';
import './row-fields.js';
