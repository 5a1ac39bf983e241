// A proof was given in this tab: the other tabs of this browser, which wait for it, are told.

new BroadcastChannel("postern.proof").postMessage("proved");
