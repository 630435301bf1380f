/* Clickrelay on a lander: <script src="https://…/t.js" data-campaign="summer"></script>
   Finds or records the visitor's click, keeps its ID in a first-party cookie and puts it into links
   to /o. See `clickrelay help landers`. */
(function () {
  'use strict';
  var script = document.currentScript;
  if (!script || !script.src || !window.URL || !window.fetch || !window.Promise) return;
  var origin = new URL(script.src).origin;
  var campaign = script.getAttribute('data-campaign');
  var lander = script.getAttribute('data-lander');
  var cookie = 'cr_click';
  var days = 30;
  var id = null;

  function valid(text) {
    return text && /^[0-9a-z]{26}$/i.test(text) ? text : null;
  }

  function fromPage() {
    var query = new URL(location.href).searchParams;
    return valid(query.get('cid')) || valid(query.get('click_id')) || valid(query.get('clickid'));
  }

  function fromCookie() {
    var match = document.cookie.match(new RegExp('(?:^|; *)' + cookie + '=([^;]*)'));
    return match ? valid(match[1]) : null;
  }

  function keep(found) {
    id = found;
    document.cookie = cookie + '=' + id + '; Path=/; Max-Age=' + days * 86400 +
      '; SameSite=Lax' + (location.protocol === 'https:' ? '; Secure' : '');
    return id;
  }

  /* The query that the last click of this tab came with: a reload is no new one. */
  function lastQuery(query) {
    try {
      if (query === undefined) return sessionStorage.getItem('cr_query');
      sessionStorage.setItem('cr_query', query);
    } catch (error) { /* Storage is switched off: each page counts. */ }
    return null;
  }

  function record() {
    var visit = {
      campaign: campaign, query: location.search, referrer: document.referrer.slice(0, 1000)
    };
    if (lander) visit.lander = lander;
    // Without a content type of its own this needs no preflight.
    return fetch(origin + '/api/click', {
      method: 'POST', body: JSON.stringify(visit), credentials: 'omit', keepalive: true
    }).then(function (answer) {
      return answer.ok ? answer.json() : null;
    }).then(function (decision) {
      if (!decision || !valid(decision.click_id)) return null;
      lastQuery(location.search);
      api.decision = decision;
      return keep(decision.click_id);
    }).catch(function () { return null; });
  }

  /* As long as no click is known, the link itself says what makes one. */
  function complete(url) {
    if (id) {
      url.searchParams.set('cid', id);
    } else if (campaign && !url.searchParams.has('campaign')) {
      new URL(location.href).searchParams.forEach(function (value, name) {
        if (!url.searchParams.has(name)) url.searchParams.append(name, value);
      });
      url.searchParams.set('campaign', campaign);
    }
    return url;
  }

  function isOurs(href) {
    try {
      var url = new URL(href, document.baseURI);
      return url.origin === origin && /^\/o(\/|$)/.test(url.pathname) ? url : null;
    } catch (error) {
      return null;
    }
  }

  function completeLink(link) {
    var url = isOurs(link.href);
    if (url) link.href = complete(url).href;
  }

  function completeAll() {
    Array.prototype.forEach.call(document.querySelectorAll('a[href]'), completeLink);
  }

  function pressed(event) {
    var link = event.target && event.target.closest && event.target.closest('a[href]');
    if (link) completeLink(link);
  }

  function submitted(event) {
    var form = event.target;
    var url = form && form.method === 'get' && isOurs(form.action);
    if (!url) return;
    complete(url).searchParams.forEach(function (value, name) {
      if (form.elements[name]) return;
      var input = document.createElement('input');
      input.type = 'hidden';
      input.name = name;
      input.value = value;
      form.appendChild(input);
    });
  }

  var api = window.clickrelay = {
    /* The click ID, or null while there is none. */
    get clickID() { return id; },
    /* What /api/click answered, where it was asked. */
    decision: null,
    /* Where the visitor goes on to the n-th offer, or to 'any'. */
    offerURL: function (number) {
      return complete(new URL('/o/' + (number || 1), origin)).href;
    }
  };

  var found = fromPage();
  if (found) {
    keep(found);
  } else {
    found = fromCookie();
    var isNew = campaign && (!found || (location.search && location.search !== lastQuery()));
    if (!isNew) id = found;
  }
  /* Settles with the click ID, or with null where there is none. */
  api.ready = id || !campaign ? Promise.resolve(id) : record();
  api.ready.then(completeAll);
  // At the last moment too: pages add links, and a visitor may be faster than the answer.
  document.addEventListener('click', pressed, true);
  document.addEventListener('auxclick', pressed, true);
  document.addEventListener('submit', submitted, true);
  if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', completeAll);
  }
})();
