"""What maximum likelihood needs whatever the family: data, Newton's method, and densities with a location and a scale.

Most families need a few means of the data; the others Newton's method over all of it, begun on a few thousand
quantiles, which leaves two or three passes over the data themselves. Standard errors are of the observed information.

sorted_sample   data as estimators want them: every distinct value once, with how often it occurs
ascent          Newton's method, and what a fit finds
location_scale  densities f((x - mu)/scale)/scale, over (x - median)/spread
"""
